// Package workload holds demands: what a job wants computed, moved and kept,
// without a clock, a network or the rate of any hardware.
//
// # From a model to operators
//
// A [Model] is an architecture; [Model.Unfold] turns it, for one micro-batch,
// into layers of operators: matrix products with their real shapes, attention,
// passes over tensors with the bytes that they move through HBM, and, where
// accelerators share a layer, the collectives between them. A [Training] adds
// batch, precision and the degrees of parallelism, and answers what an iteration
// demands of a rank:
//
//	which layers it holds                [Training.Chunks]
//	in which order it runs its passes    [Training.Schedule]
//	a pass: each layer's Forward, or, last layer first, its Backward
//	for all but the first micro-batch    [Training.GradientAdd]
//	what is summed over replicas         [Training.Buckets]
//	at the end                           [Training.Step]
//
// beside whom it works with ([Training.Group]), the model FLOPs that utilisation
// counts ([Training.FLOPs]) and the bytes that an accelerator holds
// ([Training.Memory]). What these take in time is the business of package cluster.
//
// # What is counted
//
// Products count two FLOPs a multiply-add. A product with an m x k input and
// a k x n weight matrix answers in the backward pass with two of the same
// size, m x n x k for the input's gradient and n x m x k for the weights', so
// backward is twice forward. A decoder of l layers, width h and vocabulary V
// on B sequences of s tokens then has 24 B s l h^2 (1 + s/6h + V/12lh) forward
// (Narayanan et al., SC 2021).
//
// Everything else is counted as traffic: each kernel reads its inputs from HBM
// and writes its outputs there, once. Which passes share a kernel is up to the
// framework, so each family follows one that publishes its source: decoders
// Megatron-LM's fused kernels, bert NVIDIA DeepLearningExamples compiled by
// nvFuser, convnets PyTorch's separate kernels on channels-last tensors.
// Activations have 2 bytes in 16-bit precisions and 4 in fp32 and tf32;
// dropout masks have 1. Passes also carry the instruction slots that they cost
// on the vector units, counted from the textbook sequence of GELU, softmax,
// dropout's random numbers and the like, which limit 16-bit passes on
// accelerators that have much HBM bandwidth for few vector units.
//
// # Families beside transformers and convnets
//
// A recommender (dlrm) holds the tables of all its features once, shared out
// over the replicas, and exchanges their vectors with the others in every pass:
// the only family whose layers have operators of class [Communication] under
// data parallelism alone, and parameters that are not summed
// ([Layer.ShardedParameters]). A speech model has an encoder and a decoder of
// different lengths, joined by cross attention. A unet3d convolves volumes. Their
// samples are rows of a click log, half minutes of sound, cubes of voxels.
//
// # What is left out
//
// Data loading is free. Caches between kernels do not exist. Micro-batches are all
// alike: no padding, no binning by length. Experts get equal loads.
//
// # Sources
//
//   - Shoeybi et al., Megatron-LM, 2019: decoder layers, their fusions, tensor
//     parallelism.
//   - Huang et al., GPipe, 2019; Narayanan et al., PipeDream, 2019; Qi et al., Zero
//     Bubble Pipeline Parallelism, 2023: schedules.
//   - Liu et al., Ring Attention, 2023; Lepikhin et al., GShard, 2020.
//   - Narayanan et al., Efficient Large-Scale Language Model Training, SC 2021.
//   - Korthikanti et al., Reducing Activation Recomputation, 2022: sequence
//     parallelism and memory.
//   - Dao et al., FlashAttention, 2022: fused attention.
//   - Devlin et al., BERT, 2019; You et al., LAMB, 2020; NVIDIA
//     DeepLearningExamples, PyTorch/LanguageModeling/BERT.
//   - Naumov et al., Deep Learning Recommendation Model, 2019; Wang et al.,
//     DCN V2, 2021; mlcommons/training, recommendation_v2.
//   - Radford et al., Robust Speech Recognition (Whisper), 2022.
//   - Çiçek et al., 3D U-Net, 2016; Isensee et al., nnU-Net, 2021;
//     mlcommons/training, image_segmentation.
//   - He et al., Deep Residual Learning, 2016, in the variant v1.5.
//   - Rajbhandari et al., ZeRO, 2020: 16 bytes a parameter.
//   - Li et al., PyTorch Distributed, VLDB 2020: gradient buckets.
//   - Hu et al., LoRA, 2021: adapters beside frozen weights.
//   - Aji and Heafield, Sparse Communication, 2017; Lin et al., Deep Gradient
//     Compression, 2018: top-k. Dettmers, 8-Bit Approximations, 2016; Dettmers et
//     al., 8-bit Optimizers via Block-wise Quantization, 2022: scales of blocks.
package workload
